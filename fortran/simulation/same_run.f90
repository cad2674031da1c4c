! SPDX-License-Identifier: MIT
!> Whether a checkpoint is of the run that is to be continued from it.
module fennix_same_run
   use fennix_kinds, only : dp, i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_checkpoint, only : checkpoint_type, get
   use fennix_provider, only : identity_of
   use fennix_run_state, only : simulation_type
   implicit none
   private
   public :: check_same_run, on_off, tag

contains


!> Refuse to continue another run bitwise: what changes the trajectory must be the same
subroutine check_same_run(self, chk, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   integer(i4), allocatable :: number(:)
   integer :: k
   logical :: same_size

   allocate(number(self%whole%n))
   call get(chk, "number", number, error)
   if (allocated(error)) return
   if (any(number /= self%whole%number)) then
      call fatal_error(error, chk%path // ": the checkpoint holds other elements than the structure file")
      return
   end if
   call same_text(chk, "integrator", self%settings%integrator, error)
   if (.not. allocated(error)) call same_text(chk, "precision", self%settings%precision, error)
   if (.not. allocated(error)) call same_number(chk, "time step", self%settings%dt, error)
   if (.not. allocated(error)) call same_number(chk, "skin", self%settings%skin, error)
   if (.not. allocated(error)) call same_count(chk, "substeps", self%settings%n_substeps, error)
   if (.not. allocated(error)) call is_same_size(self, chk, same_size, error)
   if (.not. allocated(error) .and. same_size) call same_count(chk, "threads", self%settings%threads, error)
   if (.not. allocated(error)) call check_same_physics(self, chk, error)
   do k = 1, size(self%ladder%levels)
      if (allocated(error)) return
      call same_model(chk, k, self%ladder%levels(k)%provider%label, same_size, error)
   end do
end subroutine check_same_run


!> The keywords that enter each step
subroutine check_same_physics(self, chk, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   type(error_type), allocatable, intent(out) :: error
   integer(i8) :: seed

   call same_number(chk, "ml-force-cap", self%settings%force_cap, error)
   if (.not. allocated(error)) call same_number(chk, "ml-qtot", self%settings%total_charge, error)
   if (.not. allocated(error)) call same_count(chk, "remove-inertia", self%settings%remove_inertia, error)
   if (.not. allocated(error)) call same_text(chk, "heavy-hydrogen", on_off(self%settings%heavy_hydrogen), error)
   if (allocated(error) .or. .not. self%settings%langevin) return
   call same_number(chk, "temperature", self%settings%temperature, error)
   if (.not. allocated(error)) call same_number(chk, "friction", self%settings%friction, error)
   if (.not. allocated(error)) call get(chk, "randomseed", seed, error)
   if (allocated(error) .or. .not. self%settings%seed_given .or. seed == self%settings%seed) return
   call refuse(chk, "randomseed", to_text(seed), to_text(self%settings%seed), error)
end subroutine check_same_physics


!> Whether the checkpoint was written on as many ranks; only then a run can go on to the last bit
subroutine is_same_size(self, chk, same_size, error)
   type(simulation_type), intent(in) :: self
   type(checkpoint_type), intent(in) :: chk
   logical, intent(out) :: same_size
   type(error_type), allocatable, intent(out) :: error
   integer(i4) :: bricks(3)

   same_size = .false.
   call get(chk, "bricks", bricks, error)
   if (.not. allocated(error)) same_size = product(bricks) == self%domain%comm%size
end subroutine is_same_size


!> The same weights and precision; on as many ranks also on the same devices and threads
subroutine same_model(chk, k, label, same_size, error)
   type(checkpoint_type), intent(in) :: chk
   !> Level
   integer, intent(in) :: k
   character(len=*), intent(in) :: label
   logical, intent(in) :: same_size
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: found

   call get(chk, tag("model", k), found, error)
   if (allocated(error)) return
   if (same_size .and. found == label) return
   if (.not. same_size .and. identity_of(found) == identity_of(label)) return
   call refuse(chk, tag("model", k), found, label, error)
end subroutine same_model


subroutine same_text(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name, expected
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (found /= expected) call refuse(chk, name, found, expected, error)
end subroutine same_text


subroutine same_number(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name
   real(dp), intent(in) :: expected
   type(error_type), allocatable, intent(out) :: error
   real(dp) :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (abs(found - expected) > 0.0_dp) call refuse(chk, name, to_text(found), to_text(expected), error)
end subroutine same_number


subroutine same_count(chk, name, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name
   integer, intent(in) :: expected
   type(error_type), allocatable, intent(out) :: error
   integer(i4) :: found

   call get(chk, name, found, error)
   if (allocated(error)) return
   if (found /= expected) call refuse(chk, name, to_text(int(found)), to_text(expected), error)
end subroutine same_count


!> The sentence for a run that differs
subroutine refuse(chk, name, found, expected, error)
   type(checkpoint_type), intent(in) :: chk
   character(len=*), intent(in) :: name, found, expected
   type(error_type), allocatable, intent(out) :: error

   call fatal_error(error, chk%path // ": --resume continues bitwise and needs the same " // name // &
      & "; the checkpoint has '" // found // "', this run '" // expected // "' (start from NAME.dyn to change it)")
end subroutine refuse


!> A switch in words
pure function on_off(switch)
   logical, intent(in) :: switch
   character(len=:), allocatable :: on_off

   on_off = trim(merge("on ", "off", switch))
end function on_off


!> "force 1"
pure function tag(name, k)
   character(len=*), intent(in) :: name
   integer, intent(in) :: k
   character(len=:), allocatable :: tag

   tag = name // " " // to_text(k)
end function tag

end module fennix_same_run
