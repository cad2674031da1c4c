! SPDX-License-Identifier: MIT
!> One level of the ladder: a provider with its pair list and its last forces.
module fennix_levels
   use, intrinsic :: iso_c_binding, only : c_funloc, c_int32_t, c_int64_t, c_loc
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_comm, only : sum_all
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_domain, only : agree, domain_type, fail, settle
   use fennix_elements, only : symbol
   use fennix_halo, only : halo_type
   use fennix_halo_build, only : build_halo
   use fennix_halo_exchange, only : exchange_features
   use fennix_halo_swap, only : refresh_positions, return_forces
   use fennix_pairs, only : build_pairs, expired, new_pairs, pairs_type, set_reference, squared_move
   use fennix_provider, only : call_provider, provider_type
   use fennix_seam, only : force_request, force_result, want_energy, want_forces, want_virial
   use fennix_timer, only : timer_agree, timer_exchange, timer_halo, timer_pairs, timer_type
   implicit none
   private
   public :: level_type, new_level, halo_width, look, rebuild, follow, evaluate_level, total_energy

   type :: level_type
      !> Position in the ladder, 1 = outermost
      integer :: index = 1
      !> Which keyword named the model, for messages: "water.key, line 3: keyword 'ml-model'"
      character(len=:), allocatable :: place
      type(provider_type) :: provider
      !> What this rank sees, and the pairs among it
      type(halo_type) :: halo
      type(pairs_type) :: pairs
      !> Ghosts get their features from their owners during an evaluation; otherwise the halo is as wide as an atom's
      !> energy sees
      logical :: exchanging = .false.
      !> Steps of this level in one step of the level outside it
      integer :: substeps = 1
      !> Total charge of the system, e
      real(dp) :: total_charge = 0.0_dp
      !> Atoms of each atomic number in the whole system, (119) from 0
      integer(i8), allocatable :: composition(:)
      !> Potential energy, kcal/mol, of the last evaluation: of own atoms, or of all when it was asked for
      real(dp) :: energy = 0.0_dp
      logical :: energy_is_total = .true.
      !> +dE/dstrain, kcal/mol, of the last evaluation that asked for it
      real(dp) :: virial(3, 3) = 0.0_dp
      !> Forces on own atoms of the last evaluation, kcal/mol/Å, (3, n)
      real(dp), allocatable :: forces(:, :)
      !> Which timer this level's provider runs under
      integer :: timer_id = 1
   end type level_type

contains


!> A level for this system; refuses elements that the provider does not know
subroutine new_level(self, index, provider, domain, skin, total_charge, halo_mode, timer_id, error)
   type(level_type), intent(out) :: self
   integer, intent(in) :: index
   type(provider_type), intent(in) :: provider
   type(domain_type), intent(in) :: domain
   !> Å
   real(dp), intent(in) :: skin
   !> e
   real(dp), intent(in) :: total_charge
   !> "auto", "wide" or "exchange"
   character(len=*), intent(in) :: halo_mode
   integer, intent(in) :: timer_id
   type(error_type), allocatable, intent(out) :: error
   integer :: z

   self%index = index
   self%provider = provider
   self%total_charge = total_charge
   self%timer_id = timer_id
   allocate(self%composition(0:118), source=domain%composition)
   do z = 0, 118
      if (domain%composition(z) == 0 .or. provider%record%element(z + 1) /= 0) cycle
      call fatal_error(error, "the model " // provider%label // " does not know the element " // trim(symbol(z)) // &
         & " of atom " // to_text(domain%first_of(z) + 1) // "; it knows " // known_elements(provider))
      return
   end do
   if (domain%comm%size > 1 .and. .not. provider%cutoff > 0.0_dp) then
      call fatal_error(error, "the model " // provider%label // " sees the whole system at once and cannot be " // &
         & "spread over " // to_text(domain%comm%size) // " ranks; run it on one")
      return
   end if
   self%exchanging = domain%comm%size > 1 .and. provider%exchanges .and. halo_mode /= "wide"
   if (halo_mode == "exchange" .and. .not. provider%exchanges .and. provider%range > provider%cutoff) then
      call fatal_error(error, "keyword 'halo exchange': the model " // provider%label // " does not exchange " // &
         & "features; use halo auto or wide")
      return
   end if
   call new_pairs(self%pairs, provider%cutoff, skin)
   allocate(self%forces(3, 0))
end subroutine new_level


!> How far ghosts are needed, the list's skin included, Å
pure function halo_width(self)
   type(level_type), intent(in) :: self
   real(dp) :: halo_width

   halo_width = merge(self%provider%cutoff, self%provider%range, self%exchanging) + self%pairs%skin
end function halo_width


!> Symbols of the elements that a provider accepts
pure function known_elements(provider) result(text)
   type(provider_type), intent(in) :: provider
   character(len=:), allocatable :: text
   integer :: z

   text = ""
   do z = 1, 118
      if (provider%record%element(z + 1) == 0) cycle
      if (len(text) > 0) text = text // ", "
      text = text // trim(symbol(z))
   end do
   if (len(text) == 0) text = "none"
end function known_elements


!> Let all ranks agree on whether the pair list still holds, whether anybody failed and whether to stop
subroutine look(self, domain, cell, atoms, is_expired, timer, error)
   type(level_type), intent(in) :: self
   type(domain_type), intent(inout) :: domain
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   logical, intent(out) :: is_expired
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: lost
   real(dp) :: largest

   call timer%start(timer_pairs)
   call squared_move(self%pairs, cell, atoms%position, atoms%id, largest, lost)
   call fail(domain, lost, .false.)
   call timer%stop(timer_pairs)
   call timer%start(timer_agree)
   call agree(domain, largest, error)
   call timer%stop(timer_agree)
   is_expired = expired(self%pairs, largest)
end subroutine look


!> New ghosts and pairs at these positions; all ranks call this together
subroutine rebuild(self, domain, cell, atoms, timer)
   type(level_type), intent(inout) :: self
   type(domain_type), intent(in) :: domain
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   type(timer_type), intent(inout) :: timer
   real(dp) :: center_width

   center_width = -1.0_dp
   if (.not. self%exchanging .and. self%provider%center_range > 0.0_dp) then
      center_width = self%provider%center_range + self%pairs%skin
   end if
   call timer%start(timer_halo)
   call build_halo(self%halo, domain%comm, domain%grid, atoms%number, atoms%id, atoms%position, halo_width(self), &
      & center_width)
   call timer%stop(timer_halo)
   call timer%start(timer_pairs)
   associate (halo => self%halo)
      call build_pairs(self%pairs, cell, halo%position(:, :halo%n_total), .not. domain%grid%decomposed(), &
         & halo%n_center, halo%by_id)
   end associate
   call set_reference(self%pairs, cell, atoms%position)
   if (size(self%forces, 2) /= atoms%n) then
      deallocate(self%forces)
      allocate(self%forces(3, atoms%n), source=0.0_dp)
   end if
   call timer%stop(timer_pairs)
end subroutine rebuild


!> The same ghosts and pairs at new positions
subroutine follow(self, atoms, timer)
   type(level_type), intent(inout) :: self
   type(atoms_type), intent(in) :: atoms
   type(timer_type), intent(inout) :: timer

   call timer%start(timer_halo)
   call refresh_positions(self%halo, atoms%position)
   call timer%stop(timer_halo)
end subroutine follow


!> Energy and forces at the positions of the halo. Whatever fails on one rank, all take part to the end; they learn
!> of it when they next agree, or here when something is asked for.
subroutine evaluate_level(self, domain, cell, inner_step, asked, timer, error)
   type(level_type), intent(inout), target :: self
   type(domain_type), intent(inout) :: domain
   type(cell_type), intent(in) :: cell
   !> Absolute index of the inner step
   integer(i8), intent(in) :: inner_step
   !> Energy and virial of the whole system are wanted
   logical, intent(in) :: asked
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   type(error_type), allocatable :: failure
   logical :: with_virial, is_echo

   with_virial = asked .and. (self%provider%has_virial .or. .not. cell%periodic)
   self%halo%peer_failed = .false.
   call timer%start(self%timer_id)
   call ask_provider(self, domain, cell, inner_step, with_virial, failure)
   call timer%stop(self%timer_id)
   ! What ranks exchange is not the model's work
   call timer%add(self%timer_id, -self%halo%exchange_ticks, 0)
   call timer%add(timer_exchange, self%halo%exchange_ticks, self%halo%n_exchanges)
   self%halo%exchange_ticks = 0
   self%halo%n_exchanges = 0
   ! An exchange that another rank left has made this one fail; what comes home says nothing about who was first
   is_echo = self%halo%peer_failed .or. .not. allocated(failure)
   call timer%start(timer_halo)
   call return_forces(self%halo, .not. allocated(failure), self%forces)
   call timer%stop(timer_halo)
   if (self%halo%peer_failed .and. .not. allocated(failure)) call fatal_error(failure, "the ranks did not exchange " &
      & // "features alike in the model " // self%provider%label)
   if (allocated(failure) .and. allocated(self%place)) failure%message = self%place // ": " // failure%message
   self%energy_is_total = domain%comm%size == 1
   if (domain%comm%size == 1) then
      if (allocated(failure)) call move_alloc(failure, error)
      return
   end if
   call fail(domain, failure, is_echo)
   if (.not. asked) return
   call timer%start(timer_agree)
   call sum_up(self, domain, error)
   call timer%stop(timer_agree)
end subroutine evaluate_level


!> Energy and virial of all ranks
subroutine sum_up(self, domain, error)
   type(level_type), intent(inout) :: self
   type(domain_type), intent(inout) :: domain
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: values(10)

   values = [self%energy, reshape(self%virial, [9])]
   call sum_all(domain%comm, values)
   self%energy = values(1)
   self%virial = reshape(values(2:), [3, 3])
   self%energy_is_total = .true.
   call settle(domain, error)
end subroutine sum_up


!> Potential energy of the last evaluation, of all atoms, kcal/mol; all ranks call this together
function total_energy(self, domain)
   type(level_type), intent(in) :: self
   type(domain_type), intent(in) :: domain
   real(dp) :: total_energy
   real(dp) :: value(1)

   value = self%energy
   if (.not. self%energy_is_total) call sum_all(domain%comm, value)
   total_energy = value(1)
end function total_energy


!> Let the provider fill the forces of the halo, and check them
subroutine ask_provider(self, domain, cell, inner_step, with_virial, error)
   type(level_type), intent(inout), target :: self
   type(domain_type), intent(in) :: domain
   type(cell_type), intent(in) :: cell
   integer(i8), intent(in) :: inner_step
   logical, intent(in) :: with_virial
   type(error_type), allocatable, intent(out) :: error
   type(force_request) :: request
   type(force_result) :: result

   ! Of atoms that are all ghosts nothing is wanted; with features to be exchanged, others count on this rank
   if (self%halo%n_total == 0 .or. (self%halo%n_local == 0 .and. .not. self%exchanging)) then
      self%energy = 0.0_dp
      self%virial = 0.0_dp
      self%halo%forces = 0.0_dp
      return
   end if
   call new_request(request, self, domain, cell, inner_step, with_virial)
   result%forces = c_loc(self%halo%forces)
   call call_provider(self%provider, request, result, error)
   if (allocated(error)) return
   self%energy = result%energy
   if (with_virial) self%virial = result%virial
   call check_finite(self, error)
end subroutine ask_provider


!> What the provider is shown
subroutine new_request(request, self, domain, cell, inner_step, with_virial)
   type(force_request), intent(out) :: request
   type(level_type), intent(in), target :: self
   type(domain_type), intent(in) :: domain
   type(cell_type), intent(in) :: cell
   integer(i8), intent(in) :: inner_step
   logical, intent(in) :: with_virial

   request%level = int(self%index, c_int32_t)
   request%inner_step = int(inner_step, c_int64_t)
   request%wanted = want_energy + want_forces + merge(want_virial, 0_c_int32_t, with_virial)
   request%n_local = int(self%halo%n_local, c_int32_t)
   request%n_center = int(self%halo%n_center, c_int32_t)
   request%n_total = int(self%halo%n_total, c_int32_t)
   request%n_global = int(domain%n_global, c_int64_t)
   request%periodic = merge(1_c_int32_t, 0_c_int32_t, cell%periodic .and. .not. domain%grid%decomposed())
   request%total_charge = self%total_charge
   request%cutoff = self%pairs%cutoff
   request%skin = self%pairs%skin
   request%list_version = int(self%pairs%version, c_int64_t)
   request%n_edges = int(self%pairs%n_edges, c_int64_t)
   request%number = c_loc(self%halo%number)
   request%id = c_loc(self%halo%id)
   request%position = c_loc(self%halo%position)
   request%cell = cell%vectors
   request%composition = c_loc(self%composition)
   request%first = c_loc(self%pairs%first)
   request%neighbor = c_loc(self%pairs%neighbor)
   request%shift = c_loc(self%pairs%shift)
   if (.not. self%exchanging) return
   request%exchange = c_funloc(exchange_features)
   request%exchange_context = c_loc(self%halo)
end subroutine new_request


!> A provider that returns NaN has failed, whatever its status says
subroutine check_finite(self, error)
   type(level_type), intent(in) :: self
   type(error_type), allocatable, intent(out) :: error
   integer :: iat

   if (.not. (abs(self%energy) < huge(1.0_dp) .and. all(abs(self%virial) < huge(1.0_dp)))) then
      call fatal_error(error, "the model " // self%provider%label // &
         & " returned an energy or virial that is not a number")
      return
   end if
   do iat = 1, self%halo%n_total
      if (all(abs(self%halo%forces(:, iat)) < huge(1.0_dp))) cycle
      call fatal_error(error, "the model " // self%provider%label // " returned a force that is not a number on atom " &
         & // to_text(int(self%halo%id(iat)) + 1))
      return
   end do
end subroutine check_finite

end module fennix_levels
