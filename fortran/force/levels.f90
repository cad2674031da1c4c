! SPDX-License-Identifier: MIT
!> One level of the ladder: a provider with its pair list and its last forces.
module fennix_levels
   use, intrinsic :: iso_c_binding, only : c_int32_t, c_int64_t, c_loc
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type
   use fennix_atoms, only : atoms_type
   use fennix_elements, only : symbol
   use fennix_pairs, only : build_pairs, new_pairs, pairs_expired, pairs_type
   use fennix_provider, only : call_provider, provider_type
   use fennix_seam, only : force_request, force_result, want_energy, want_forces, want_virial
   use fennix_timer, only : timer_pairs, timer_type
   implicit none
   private
   public :: level_type, new_level, evaluate_level, refresh_pairs

   type :: level_type
      !> Position in the ladder, 1 = outermost
      integer :: index = 1
      !> Which keyword named the model, for messages: "water.key, line 3: keyword 'ml-model'"
      character(len=:), allocatable :: place
      type(provider_type) :: provider
      type(pairs_type) :: pairs
      !> Steps of this level in one step of the level outside it
      integer :: substeps = 1
      !> Total charge of the system, e
      real(dp) :: total_charge = 0.0_dp
      !> Atoms of each atomic number, (119) from 0
      integer(i8), allocatable :: composition(:)
      !> Potential energy, kcal/mol, of the last evaluation
      real(dp) :: energy = 0.0_dp
      !> +dE/dstrain, kcal/mol, of the last evaluation that asked for it
      real(dp) :: virial(3, 3) = 0.0_dp
      !> Forces of the last evaluation, kcal/mol/Å, (3, n)
      real(dp), allocatable :: forces(:, :)
      !> Which timer this level's provider runs under
      integer :: timer_id = 1
   end type level_type

contains


!> A level for these atoms; refuses elements that the provider does not know
subroutine new_level(self, index, provider, atoms, skin, total_charge, timer_id, error)
   type(level_type), intent(out) :: self
   integer, intent(in) :: index
   type(provider_type), intent(in) :: provider
   type(atoms_type), intent(in) :: atoms
   !> Å
   real(dp), intent(in) :: skin
   !> e
   real(dp), intent(in) :: total_charge
   integer, intent(in) :: timer_id
   type(error_type), allocatable, intent(out) :: error
   integer :: iat

   self%index = index
   self%provider = provider
   self%total_charge = total_charge
   self%timer_id = timer_id
   allocate(self%composition(0:118), source=0_i8)
   do iat = 1, atoms%n
      if (provider%record%element(atoms%number(iat) + 1) == 0) then
         call fatal_error(error, "the model " // provider%label // " does not know the element " // &
            & trim(symbol(int(atoms%number(iat)))) // " of atom " // to_text(iat) // "; it knows " // &
            & known_elements(provider))
         return
      end if
      self%composition(atoms%number(iat)) = self%composition(atoms%number(iat)) + 1
   end do
   call new_pairs(self%pairs, provider%cutoff, skin)
   allocate(self%forces(3, atoms%n), source=0.0_dp)
end subroutine new_level


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


!> Rebuild the pair list when an atom has moved by more than half the skin
subroutine refresh_pairs(self, cell, atoms, timer, error)
   type(level_type), intent(inout) :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in) :: atoms
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   logical :: expired

   call timer%start(timer_pairs)
   call pairs_expired(self%pairs, cell, atoms%position, expired, error)
   if (.not. allocated(error) .and. expired) call build_pairs(self%pairs, cell, atoms%position)
   call timer%stop(timer_pairs)
end subroutine refresh_pairs


!> Energy and forces (and the virial when wanted) at the present positions
subroutine evaluate_level(self, cell, atoms, inner_step, with_virial, timer, error)
   type(level_type), intent(inout), target :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in), target :: atoms
   !> Absolute index of the inner step
   integer(i8), intent(in) :: inner_step
   logical, intent(in) :: with_virial
   type(timer_type), intent(inout) :: timer
   type(error_type), allocatable, intent(out) :: error
   type(force_request) :: request
   type(force_result) :: result
   logical :: ask_virial

   call refresh_pairs(self, cell, atoms, timer, error)
   if (allocated(error)) return
   ask_virial = with_virial .and. (self%provider%has_virial .or. .not. cell%periodic)
   call new_request(request, self, cell, atoms, inner_step, ask_virial)
   result%forces = c_loc(self%forces)
   call timer%start(self%timer_id)
   call call_provider(self%provider, request, result, error)
   call timer%stop(self%timer_id)
   if (.not. allocated(error)) then
      self%energy = result%energy
      if (ask_virial) self%virial = result%virial
      call check_finite(self, error)
   end if
   if (allocated(error) .and. allocated(self%place)) error%message = self%place // ": " // error%message
end subroutine evaluate_level


!> What the provider is shown
subroutine new_request(request, self, cell, atoms, inner_step, with_virial)
   type(force_request), intent(out) :: request
   type(level_type), intent(in), target :: self
   type(cell_type), intent(in) :: cell
   type(atoms_type), intent(in), target :: atoms
   integer(i8), intent(in) :: inner_step
   logical, intent(in) :: with_virial

   request%level = int(self%index, c_int32_t)
   request%inner_step = int(inner_step, c_int64_t)
   request%wanted = want_energy + want_forces + merge(want_virial, 0_c_int32_t, with_virial)
   request%n_local = int(atoms%n, c_int32_t)
   request%n_center = request%n_local
   request%n_total = request%n_local
   request%n_global = int(atoms%n, c_int64_t)
   request%periodic = merge(1_c_int32_t, 0_c_int32_t, cell%periodic)
   request%total_charge = self%total_charge
   request%cutoff = self%pairs%cutoff
   request%skin = self%pairs%skin
   request%list_version = int(self%pairs%version, c_int64_t)
   request%n_edges = int(self%pairs%n_edges, c_int64_t)
   request%number = c_loc(atoms%number)
   request%id = c_loc(atoms%id)
   request%position = c_loc(atoms%position)
   request%cell = cell%vectors
   request%composition = c_loc(self%composition)
   request%first = c_loc(self%pairs%first)
   request%neighbor = c_loc(self%pairs%neighbor)
   request%shift = c_loc(self%pairs%shift)
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
   do iat = 1, size(self%forces, 2)
      if (all(abs(self%forces(:, iat)) < huge(1.0_dp))) cycle
      call fatal_error(error, "the model " // self%provider%label // " returned a force that is not a number on atom " &
         & // to_text(iat))
      return
   end do
end subroutine check_finite

end module fennix_levels
