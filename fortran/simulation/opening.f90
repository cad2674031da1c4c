! SPDX-License-Identifier: MIT
!> What is checked and said before the first step.
module fennix_opening
   use fennix_kinds, only : dp, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_comm, only : sum_all
   use fennix_domain, only : divide
   use fennix_files, only : check_folder
   use fennix_ladder, only : move_house
   use fennix_levels, only : halo_width, total_energy
   use fennix_log, only : level_summary_type, log_start
   use fennix_shares, only : brick_text, level_share_text, owned_text
   use fennix_minimize, only : largest_force
   use fennix_pairs, only : build_pairs, new_pairs, pairs_type
   use fennix_run_state, only : is_root, simulation_type
   use fennix_settings, only : job_minimize, settings_type
   use fennix_wrap, only : check_orientation
   implicit none
   private
   public :: check_contacts, check_outputs, degrees_of_freedom, describe_levels, distribute

   !> No two atoms of matter come closer than this, Å
   real(dp), parameter :: closest_image = 0.4_dp

contains


!> Degrees of freedom of the temperature: a Langevin thermostat heats the centre of mass like everything else,
!> constant energy leaves it at rest
pure function degrees_of_freedom(settings, n) result(freedom)
   type(settings_type), intent(in) :: settings
   integer, intent(in) :: n
   integer :: freedom

   freedom = 3*n
   if (n > 1 .and. (settings%remove_inertia > 0 .or. .not. settings%langevin)) freedom = 3*n - 3
end function degrees_of_freedom


!> Refuse what would fail only when the first file is written: the folder, a cell that Tinker's files cannot hold
subroutine check_outputs(self, error)
   type(simulation_type), intent(in) :: self
   type(error_type), allocatable, intent(out) :: error
   logical :: tinker, h5

   if (.not. is_root(self)) return
   tinker = self%settings%archive .or. self%settings%restart_files .or. self%settings%job == job_minimize
   h5 = self%settings%h5md .or. self%settings%harvest_force > 0.0_dp
   if (tinker .or. h5) call check_folder(self%settings%name, error)
   if (.not. allocated(error) .and. tinker .and. self%cell%periodic) call check_orientation(self%cell, error)
end subroutine check_outputs


!> Refuse a box in which an atom all but sits on the image of another: the box is wrong, not the structure.
!> Rank 0 looks, which has read the structure.
subroutine check_contacts(self, error)
   type(simulation_type), intent(in) :: self
   type(error_type), allocatable, intent(out) :: error
   type(pairs_type) :: pairs
   integer :: iat, jat, edge
   real(dp) :: vector(3)

   if (.not. (self%cell%periodic .and. is_root(self))) return
   call new_pairs(pairs, closest_image, 0.0_dp)
   call build_pairs(pairs, self%cell, self%whole%position)
   do iat = 1, self%whole%n
      do edge = pairs%first(iat) + 1, pairs%first(iat + 1)
         if (all(pairs%shift(:, edge) == 0)) cycle
         jat = pairs%neighbor(edge) + 1
         vector = self%whole%position(:, jat) - self%whole%position(:, iat) &
            & + matmul(self%cell%vectors, real(pairs%shift(:, edge), dp))
         call fatal_error(error, place(self%settings) // ": atom " // to_text(iat) // " is only " // &
            & to_text(norm2(vector)) // " Å from a periodic image of atom " // to_text(jat) // &
            & "; expected a box that holds the structure, check a-axis, b-axis and c-axis")
         return
      end do
   end do
end subroutine check_contacts


!> Lay out the bricks and give every rank its atoms; all ranks call this together, once the levels are known
subroutine distribute(self, error)
   type(simulation_type), intent(inout) :: self
   type(error_type), allocatable, intent(out) :: error
   integer :: k
   real(dp) :: widest

   associate (wanted => self%domain%wanted_shape, size_ => self%domain%comm%size)
      if (any(wanted > 0) .and. product(wanted) /= size_) then
         call fatal_error(error, self%settings%place_decomposition // " asks for " // to_text(product(wanted)) // &
            & " bricks, expected one for each of the " // to_text(size_) // " ranks")
         return
      end if
   end associate
   widest = 0.0_dp
   do k = 1, size(self%ladder%levels)
      widest = max(widest, halo_width(self%ladder%levels(k)))
   end do
   call divide(self%domain, self%cell, self%atoms, widest)
   call move_house(self%ladder, self%domain, self%atoms, self%cell, self%timer)
   ! To be spread at first is no migration
   self%domain%n_migrations = 0
   self%domain%n_migrated = 0
end subroutine distribute


!> Keyword or file that gave the box, or the words for one from Python
pure function place(settings)
   type(settings_type), intent(in) :: settings
   character(len=:), allocatable :: place

   place = "the structure"
   if (settings%box_given) then
      place = settings%box_origin
   else if (allocated(settings%structure_file)) then
      if (len_trim(settings%structure_file) > 0) place = settings%structure_file
   end if
end function place


!> Let the log describe system and levels; all ranks call this together
subroutine describe_levels(self)
   type(simulation_type), intent(inout) :: self
   type(level_summary_type) :: summary(size(self%ladder%levels))
   character(len=:), allocatable :: ranks, owned
   integer :: k
   real(dp) :: time_step, edges(1)

   time_step = self%settings%dt
   do k = 1, size(self%ladder%levels)
      associate (level => self%ladder%levels(k))
         time_step = time_step/level%substeps
         edges = real(level%pairs%n_edges, dp)
         call sum_all(self%domain%comm, edges)
         summary(k)%label = level%provider%label
         summary(k)%cutoff = level%provider%cutoff
         summary(k)%range = level%provider%range
         summary(k)%skin = level%pairs%skin
         summary(k)%time_step = time_step
         summary(k)%n_edges = nint(edges(1), i8)
         summary(k)%energy = total_energy(level, self%domain)
         summary(k)%halo = halo_text(self, k)
         call largest_force(self%domain%comm, self%atoms%id, level%forces, summary(k)%largest_atom, &
            & summary(k)%largest_force)
      end associate
   end do
   ranks = "1"
   owned = ""
   if (self%domain%comm%size > 1) then
      ranks = brick_text(self)
      owned = owned_text(self)
   end if
   if (is_root(self)) call log_start(self%log, self%settings, self%cell, self%whole, self%obs, summary, ranks, owned)
end subroutine describe_levels


!> The halo of a level in words, empty with one rank; all ranks call this together
function halo_text(self, k) result(text)
   type(simulation_type), intent(in) :: self
   integer, intent(in) :: k
   character(len=:), allocatable :: text

   text = ""
   if (self%domain%comm%size == 1) return
   associate (level => self%ladder%levels(k))
      text = "halo " // to_text(halo_width(level) - level%pairs%skin) // " A and skin, " &
         & // trim(merge("features exchanged", "no exchange       ", level%exchanging)) // ": " &
         & // level_share_text(self, k)
   end associate
end function halo_text

end module fennix_opening
